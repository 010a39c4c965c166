package net.postern.db;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import net.postern.config.DatabaseConfig;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** The pool of connections, with the schema brought up to date. Safe for many threads. */
public final class Database implements AutoCloseable {
  private static final int CONNECT_MILLIS = 5_000;

  private final HikariDataSource pool;
  private final Optional<BundledPostgres> bundled;
  private final Jdbi jdbi;

  private Database(HikariDataSource pool, Optional<BundledPostgres> bundled) {
    this.pool = pool;
    this.bundled = bundled;
    this.jdbi = Jdbi.create(pool);
  }

  /**
   * Starts the bundled PostgreSQL, or connects to the configured one, and migrates the schema.
   *
   * @param data Postern's data directory
   * @throws DatabaseException with a message that says what to do
   */
  public static Database open(DatabaseConfig config, Path data) throws DatabaseException {
    if (config.url().isPresent()) {
      BundledPostgres.Access access =
          new BundledPostgres.Access(config.url().get(), config.user(), config.password());
      migrate(access);
      return connect(config, access, Optional.empty());
    }
    BundledPostgres bundled = BundledPostgres.start(data, config.port());
    try {
      migrate(bundled.access());
      return connect(config, bundled.access(), Optional.of(bundled));
    } catch (DatabaseException e) {
      bundled.close();
      throw e;
    }
  }

  /**
   * Connects beside a running node, as the admin commands do; the bundled PostgreSQL is left
   * running, with the schema that the node brought it to.
   *
   * @return empty when no node runs on the bundled PostgreSQL below {@code data}
   */
  public static Optional<Database> beside(DatabaseConfig config, Path data)
      throws DatabaseException {
    if (config.url().isPresent()) {
      return Optional.of(open(config, data));
    }
    Optional<BundledPostgres.Access> access = BundledPostgres.running(data);
    return access.isEmpty()
        ? Optional.empty()
        : Optional.of(connect(config, access.get(), Optional.empty()));
  }

  /** Plain SQL with named parameters. */
  public Jdbi jdbi() {
    return jdbi;
  }

  /** Makes a value of the present row. */
  @FunctionalInterface
  public interface RowReader<T> {
    T read(ResultSet row) throws SQLException;
  }

  /**
   * The rows of one query, in its order.
   *
   * @param arguments for the question marks of the text, in order
   */
  public <T> List<T> rows(String sql, RowReader<T> reader, @Nullable Object... arguments) {
    return jdbi.withHandle(
        handle -> handle.select(sql, arguments).map((row, context) -> reader.read(row)).list());
  }

  /** The row of a query that has at most one; more are a defect of the query. */
  public <T> Optional<T> row(String sql, RowReader<T> reader, @Nullable Object... arguments) {
    return jdbi.withHandle(
        handle -> handle.select(sql, arguments).map((row, context) -> reader.read(row)).findOne());
  }

  /** A connection of the pool, for batches on the hot path. */
  public Connection connection() throws SQLException {
    return pool.getConnection();
  }

  /** The bundled server, when this process runs one. */
  public Optional<BundledPostgres> bundled() {
    return bundled;
  }

  /** Whether the database answers now. */
  public boolean answers() {
    try (Connection connection = pool.getConnection()) {
      return connection.isValid(2);
    } catch (SQLException e) {
      return false;
    }
  }

  @Override
  public void close() {
    pool.close();
    bundled.ifPresent(BundledPostgres::close);
  }

  private static Database connect(
      DatabaseConfig config, BundledPostgres.Access access, Optional<BundledPostgres> bundled)
      throws DatabaseException {
    HikariConfig hikari = new HikariConfig();
    hikari.setPoolName("postern");
    hikari.setJdbcUrl(access.url());
    hikari.setUsername(access.user());
    hikari.setPassword(access.password());
    hikari.setMaximumPoolSize(config.connections());
    hikari.setMinimumIdle(1);
    hikari.setConnectionTimeout(CONNECT_MILLIS);
    hikari.setValidationTimeout(2_000);
    hikari.setInitializationFailTimeout(CONNECT_MILLIS);
    hikari.addDataSourceProperty("reWriteBatchedInserts", "true");
    hikari.addDataSourceProperty("tcpKeepAlive", "true");
    hikari.addDataSourceProperty("socketTimeout", "60");
    hikari.addDataSourceProperty("prepareThreshold", "2");
    // A plan made while the big tables were small would be kept when they are large.
    hikari.setConnectionInitSql("set plan_cache_mode = force_custom_plan");
    hikari.addDataSourceProperty("ApplicationName", "postern");
    try {
      return new Database(new HikariDataSource(hikari), bundled);
    } catch (RuntimeException e) {
      throw new DatabaseException(
          "cannot connect to PostgreSQL at %s as %s: %s"
              .formatted(access.url(), access.user(), rootMessage(e)),
          e);
    }
  }

  private static void migrate(BundledPostgres.Access access) throws DatabaseException {
    try {
      Flyway.configure()
          .dataSource(access.url(), access.user(), access.password())
          .locations("classpath:db/migration")
          .load()
          .migrate();
    } catch (FlywayException e) {
      throw new DatabaseException(
          "cannot bring the database at %s up to date: %s; if it was made by a newer Postern, run that one"
              .formatted(access.url(), rootMessage(e)),
          e);
    }
  }

  private static String rootMessage(Throwable failure) {
    Throwable at = failure;
    while (at.getCause() != null) {
      at = at.getCause();
    }
    return String.valueOf(at.getMessage());
  }
}
