/**
 * Tests of what a message says and shows: text, markup, links, phrases.
 *
 * <p>A reader sees rendered HTML, not its source. {@link net.postern.filter.content.HtmlText} makes
 * the visible text, the hidden text and the links in one linear pass without building a document;
 * {@link net.postern.filter.content.PhraseBook} looks for all phrases at once (Aho and Corasick,
 * "Efficient string matching", CACM 18(6), 1975) in text that was folded to plain letters.
 */
@NullMarked
package net.postern.filter.content;

import org.jspecify.annotations.NullMarked;
