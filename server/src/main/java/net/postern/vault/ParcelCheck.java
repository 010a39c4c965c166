package net.postern.vault;

import net.postern.blob.Parcel;
import net.postern.keys.Authenticity;

/**
 * Tells whether a parcel was written by someone who has the key to it: its digest shows damage and
 * no more. Safe for many threads; may block.
 */
@FunctionalInterface
interface ParcelCheck {

  /** For who has no keys: nothing is known, and most copies win. */
  ParcelCheck NO_KEYS = (object, parcel) -> Authenticity.UNKNOWN;

  /** Judges a parcel under the name of its object. */
  Authenticity judge(String object, Parcel parcel);
}
