package net.postern.dnsbl;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What all lists together say.
 *
 * @param listings in the order of the configuration
 * @param silent lists that did not answer in time, or not with a listing; they count as no
 */
public record Listings(List<Listing> listings, List<String> silent) {
  /** Nothing was asked, or nothing is listed. */
  public static final Listings NONE = new Listings(List.of(), List.of());

  public Listings {
    listings = List.copyOf(listings);
    silent = List.copyOf(silent);
  }

  /** The sum of the weights. */
  public int score() {
    return listings.stream().mapToInt(Listing::weight).sum();
  }

  /** The one that weighs most against it. */
  public Optional<Listing> worst() {
    return listings.stream()
        .filter(each -> each.weight() > 0)
        .max(Comparator.comparingInt(Listing::weight));
  }

  /** All, for people. */
  public String shown() {
    return listings.stream().map(Listing::toString).collect(Collectors.joining("; "));
  }
}
