package net.postern.architecture;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The edges between packages that a map allows, and what a set of classes does against it. */
final class ModuleMap {
  private static final String ROOT = "net.postern.";

  private final Map<String, Set<String>> allowed = new LinkedHashMap<>();

  /** What each line names itself, without stars and its own room; the line's packages as key. */
  private final Map<List<String>, Set<String>> named = new LinkedHashMap<>();

  private final List<String> mistakes = new ArrayList<>();

  /**
   * Reads lines of the form {@code package -> packages}; several packages on the left are one room.
   */
  static ModuleMap parse(List<String> lines) {
    ModuleMap map = new ModuleMap();
    int number = 0;
    for (String line : lines) {
      number++;
      String text = line.strip();
      if (!text.isEmpty() && !text.startsWith("#")) {
        map.add(text, number);
      }
    }
    return map;
  }

  private void add(String line, int number) {
    String[] sides = line.split("->", -1);
    if (sides.length != 2) {
      mistakes.add("line " + number + ": not of the form package -> packages: " + line);
      return;
    }
    List<String> room = List.of(sides[0].strip().split("\\s+", -1));
    Set<String> uses = new TreeSet<>();
    Set<String> byName = new TreeSet<>();
    named.put(room, byName);
    for (String used : sides[1].strip().split("\\s+", -1)) {
      if (used.equals("*")) {
        uses.addAll(allowed.keySet());
      } else if (!used.isEmpty()) {
        uses.add(used);
        byName.add(used);
        if (!allowed.containsKey(used)) {
          mistakes.add("line " + number + ": " + used + " has no line above " + room.getFirst());
        }
      }
    }
    uses.addAll(room);
    for (String name : room) {
      if (allowed.put(name, uses) != null) {
        mistakes.add("line " + number + ": " + name + " has two lines");
      }
    }
  }

  /** Mistakes of the map itself; packages that it lacks; edges that it does not allow. */
  List<String> problems(JavaClasses classes) {
    Map<String, String> found = new TreeMap<>();
    for (JavaClass type : classes) {
      String from = name(type);
      if (from.isEmpty()) {
        continue;
      }
      if (!allowed.containsKey(from)) {
        found.putIfAbsent(from, from + " has no line; add: " + from + " -> ...");
        continue;
      }
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        String to = name(dependency.getTargetClass());
        if (!to.isEmpty() && !to.equals(from) && !allowed.get(from).contains(to)) {
          String edge = from + " -> " + to;
          found.putIfAbsent(edge, edge + " is not allowed: " + dependency.getDescription());
        }
      }
    }
    List<String> all = new ArrayList<>(mistakes);
    all.addAll(found.values());
    return all;
  }

  /** Edges that the map allows by name and packages that it has, but the classes do not. */
  List<String> unused(JavaClasses classes) {
    Map<String, Set<String>> real = new TreeMap<>();
    for (JavaClass type : classes) {
      Set<String> uses = real.computeIfAbsent(name(type), key -> new TreeSet<>());
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        uses.add(name(dependency.getTargetClass()));
      }
    }
    List<String> found = new ArrayList<>();
    named.forEach(
        (room, allowedByName) -> {
          room.stream()
              .filter(each -> !real.containsKey(each))
              .forEach(each -> found.add(each + " has no classes"));
          if (real.keySet().containsAll(room)) {
            for (String used : allowedByName) {
              if (room.stream().noneMatch(each -> real.get(each).contains(used))) {
                found.add(String.join(" ", room) + " -> " + used + " is not used");
              }
            }
          }
        });
    return found;
  }

  // Empty for classes that are not ours or not the product's.
  private static String name(JavaClass type) {
    String name = type.getBaseComponentType().getPackageName();
    boolean ours = name.startsWith(ROOT) && !name.startsWith(ROOT + "testkit");
    return ours ? name.substring(ROOT.length()) : "";
  }
}
