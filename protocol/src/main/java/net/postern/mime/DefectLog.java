package net.postern.mime;

import java.util.ArrayList;
import java.util.List;

/** Collects defects up to a bound. One thread. */
final class DefectLog {
  private final int max;
  private final List<Defect.At> found = new ArrayList<>(4);

  DefectLog(int max) {
    this.max = max;
  }

  void add(Defect defect, int offset) {
    if (found.size() < max) {
      found.add(new Defect.At(defect, offset));
    } else if (found.size() == max) {
      found.add(new Defect.At(Defect.TOO_MANY_DEFECTS, offset));
    }
  }

  List<Defect.At> list() {
    return List.copyOf(found);
  }
}
