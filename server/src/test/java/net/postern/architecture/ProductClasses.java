package net.postern.architecture;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

/** The product's compiled classes, read once for all tests of this package. */
final class ProductClasses {
  static final JavaClasses ALL = read();

  private ProductClasses() {}

  private static JavaClasses read() {
    // Names of packages are enough; reading the libraries' classes would take most of the time.
    ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false);
    return new ClassFileImporter()
        .withImportOption(new ImportOption.DoNotIncludeTests())
        .importPackages("net.postern");
  }
}
