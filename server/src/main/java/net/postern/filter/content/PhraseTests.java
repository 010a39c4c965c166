package net.postern.filter.content;

import static net.postern.filter.Rule.Group.BODY;
import static net.postern.filter.content.PhraseBook.Topic.ACCOUNT;
import static net.postern.filter.content.PhraseBook.Topic.ADULT;
import static net.postern.filter.content.PhraseBook.Topic.ADVANCE_FEE;
import static net.postern.filter.content.PhraseBook.Topic.EXTORTION;
import static net.postern.filter.content.PhraseBook.Topic.INVESTMENT;
import static net.postern.filter.content.PhraseBook.Topic.LOAN;
import static net.postern.filter.content.PhraseBook.Topic.LOTTERY;
import static net.postern.filter.content.PhraseBook.Topic.MARKETING;
import static net.postern.filter.content.PhraseBook.Topic.PILLS;

import java.util.List;
import net.postern.filter.Rule;
import net.postern.filter.content.PhraseBook.Topic;

/**
 * Tests that count different phrases of a topic. Of the tests of one topic at most one hits: each
 * has a range.
 */
public final class PhraseTests {
  private PhraseTests() {}

  private static final int ANY = Integer.MAX_VALUE;

  /** In order. */
  public static final List<Rule> ALL =
      List.of(
          phrases("ADVANCE_FEE_3", 3.0, ADVANCE_FEE, 3, 4, "Some phrases of advance-fee fraud"),
          phrases("ADVANCE_FEE_5", 6.0, ADVANCE_FEE, 5, 6, "Phrases of advance-fee fraud"),
          phrases("ADVANCE_FEE_7", 9.0, ADVANCE_FEE, 7, ANY, "Many phrases of advance-fee fraud"),
          phrases("LOTTERY_2", 2.0, LOTTERY, 2, 3, "Some phrases of lottery fraud"),
          phrases("LOTTERY_4", 5.5, LOTTERY, 4, ANY, "Many phrases of lottery fraud"),
          phrases("DRUGS_MANY_2", 3.0, PILLS, 2, 3, "Some names of pills and cures"),
          phrases("DRUGS_MANY_4", 6.0, PILLS, 4, ANY, "Many names of pills and cures"),
          phrases("EXTORTION_3", 3.0, EXTORTION, 3, 4, "Some phrases of extortion"),
          phrases("EXTORTION_5", 7.0, EXTORTION, 5, ANY, "Many phrases of extortion"),
          phrases("ACCOUNT_PHISH_3", 1.5, ACCOUNT, 3, 4, "Some phrases of account phishing"),
          phrases("ACCOUNT_PHISH_5", 4.0, ACCOUNT, 5, ANY, "Many phrases of account phishing"),
          phrases("LOAN_OFFER_3", 2.5, LOAN, 3, 4, "Some phrases of loan offers"),
          phrases("LOAN_OFFER_5", 4.0, LOAN, 5, ANY, "Many phrases of loan offers"),
          phrases("EASY_MONEY_3", 2.0, INVESTMENT, 3, 4, "Some promises of easy money"),
          phrases("EASY_MONEY_5", 4.0, INVESTMENT, 5, ANY, "Many promises of easy money"),
          phrases("ADULT_TERMS_2", 3.0, ADULT, 2, 3, "Some terms of adult content"),
          phrases("ADULT_TERMS_4", 5.5, ADULT, 4, ANY, "Many terms of adult content"),
          phrases("BULK_SALES_3", 2.5, MARKETING, 3, 4, "Some phrases of bulk advertising"),
          phrases("BULK_SALES_5", 4.5, MARKETING, 5, ANY, "Many phrases of bulk advertising"));

  private static Rule phrases(
      String name, double score, Topic topic, int from, int to, String description) {
    return new Rule(
        name,
        score,
        BODY,
        description,
        mail -> {
          int count = mail.phrases().count(topic);
          return count >= from && count <= to ? Rule.seen(mail.phrases().detail(topic)) : Rule.NO;
        });
  }
}
