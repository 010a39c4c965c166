/**
 * What an operator can set: one small immutable record for each component, read from one TOML file.
 *
 * <p>A record component is a key; {@link net.postern.config.Doc} explains it, {@link
 * net.postern.config.Default} gives its value when the file says nothing. {@code docs/config.md} is
 * generated from these records. An unknown key, a value of the wrong kind or out of bounds stops
 * start-up with the file's line and what to write instead.
 */
@NullMarked
package net.postern.config;

import org.jspecify.annotations.NullMarked;
