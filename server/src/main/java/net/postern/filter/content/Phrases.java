package net.postern.filter.content;

import java.util.ArrayList;
import java.util.List;
import net.postern.filter.content.PhraseBook.Entry;
import net.postern.filter.content.PhraseBook.Topic;

/**
 * The shipped phrases. One of them means nothing; several different ones of a topic in one message
 * do. Words that good receipts, codes and newsletters use together are left out.
 */
final class Phrases {
  private Phrases() {}

  static final List<Entry> ALL = build();

  private static List<Entry> build() {
    List<Entry> all = new ArrayList<>();
    add(
        all,
        Topic.ADVANCE_FEE,
        """
        next of kin
        late client
        deceased client
        my late husband
        late father
        foreign partner
        foreign account
        business proposal
        mutual benefit
        mutual business
        beneficiary of the fund
        beneficiary of the funds
        unclaimed fund
        unclaimed funds
        inheritance fund
        inheritance funds
        consignment box
        diplomatic agent
        diplomatic courier
        security company
        million united states dollars
        million us dollars
        million dollars
        million usd
        million pounds
        million euros
        transfer of the fund
        transfer of the funds
        transfer the fund
        transfer the funds
        transfer this money
        release of your fund
        release your fund
        compensation fund
        compensation payment
        strictly confidential
        utmost confidentiality
        utmost secrecy
        absolute confidentiality
        top secret
        god fearing
        charity work
        orphanage
        orphanages
        less privileged
        cancer of the
        terminally ill
        few months to live
        central bank of
        atm card
        atm visa card
        telegraphic transfer
        barrister
        attorney at law to the late
        contact my lawyer
        swiss bank
        west africa
        burkina faso
        cote divoire
        ouagadougou
        dubai united arab emirates bank
        risk free
        hundred percent risk
        i am contacting you
        getting in touch with you
        i got your contact
        your email address came up
        without any prior
        you do not know me
        this letter may come
        this mail may come to you as a surprise
        come to you as a surprise
        dear beneficiary
        dear friend
        dear beloved
        beloved in christ
        my dear
        your full names
        your direct telephone
        private telephone number
        upon your response
        upon receipt of your reply
        urgent reply
        urgent response
        overdue payment
        contract payment
        foreign remittance
        remittance department
        united nations compensation
        over invoiced
        sum of
        abandoned fund
        gold dust
        donate the sum
        donation of
        i have decided to donate
        business transaction
        stand as the
        account officer
        auditing department
        percent of the total
        for your assistance
        30 percent
        40 percent
        seek your assistance
        seeking your assistance
        need your assistance
        your sincere cooperation
        keep this confidential
        """);
    add(
        all,
        Topic.LOTTERY,
        """
        winning notification
        award notification
        lottery winner
        email lottery
        lotto
        national lottery
        international lottery
        online draw
        ballot system
        computer ballot
        winning number
        winning numbers
        lucky number
        lucky winner
        lucky winners
        ticket number
        claims agent
        claim agent
        fiduciary agent
        file your claim
        claim your prize
        claim your winnings
        prize money
        cash prize
        you have won
        you won
        has won you
        your email has won
        selected as a winner
        grand prize
        congratulations you
        winning amount
        sweepstakes
        powerball
        """);
    add(
        all,
        Topic.PILLS,
        """
        viagra
        cialis
        levitra
        kamagra
        sildenafil
        tadalafil
        valium
        xanax
        ambien
        phentermine
        tramadol
        vicodin
        hydrocodone
        soma
        erectile dysfunction
        penis enlargement
        enlarge your penis
        male enhancement
        online pharmacy
        canadian pharmacy
        no prescription
        without prescription
        without a prescription
        prescription drugs
        generic drugs
        weight loss
        lose weight
        fat burner
        burn fat
        keto gummies
        hgh
        human growth hormone
        cbd gummies
        replica watches
        replica rolex
        """);
    add(
        all,
        Topic.EXTORTION,
        """
        i recorded you
        recorded a video of you
        video of you
        your webcam
        your camera
        web camera
        adult websites
        adult sites
        porn sites
        pornographic
        masturbating
        masturbate
        pleasuring yourself
        infected your
        trojan
        remote access
        spyware
        full access to your
        hacked your
        i hacked
        i am a hacker
        your device was
        your operating system
        send the video to
        all your contacts
        your contact list
        friends and family
        bitcoin
        btc wallet
        bitcoin wallet
        btc address
        pay me
        you have 48 hours
        48 hours
        50 hours
        delete the video
        destroy the video
        your reputation
        your password is
        dark web
        your dirty
        """);
    add(
        all,
        Topic.ACCOUNT,
        """
        verify your mailbox
        verify your email account
        your mailbox is full
        mailbox is almost full
        mailbox storage
        mailbox quota
        storage quota
        quota limit
        exceeded your mailbox
        email account will be
        mailbox will be
        account will be suspended
        account will be closed
        account will be deactivated
        account will be terminated
        account has been suspended
        account has been limited
        account has been locked
        account has been temporarily
        has been deactivated
        unusual activity
        suspicious activity
        unauthorized access to your
        confirm your identity
        confirm your account
        verify your account
        verify your identity
        verify your information
        update your information
        update your account
        update your billing
        update your payment
        validate your account
        validate your email
        upgrade your mailbox
        upgrade your email
        re activate
        reactivate your account
        restore your account
        restore access
        keep same password
        keep my password
        keep current password
        password expires today
        password will expire
        password is set to expire
        undelivered messages
        pending messages
        incoming messages
        release messages
        release pending
        held messages
        dear email user
        dear user
        dear account owner
        dear account user
        dear customer
        dear valued customer
        webmail administrator
        system administrator
        help desk
        it department
        within 24 hours
        within 48 hours
        failure to comply
        failure to do so
        to avoid suspension
        to avoid interruption
        avoid losing
        permanently deleted
        recovery phrase
        seed phrase
        wallet verification
        connect your wallet
        """);
    add(
        all,
        Topic.LOAN,
        """
        loan offer
        we offer loans
        loan at
        business loan
        personal loan
        personal loans
        apply for a loan
        need a loan
        interest rate
        bad credit
        no credit check
        debt consolidation
        consolidate your debt
        loan amount needed
        loan duration
        loan amount
        get out of debt
        refinance
        mortgage rates
        lowest rates
        pre approved
        """);
    add(
        all,
        Topic.INVESTMENT,
        """
        double your money
        double your bitcoin
        guaranteed returns
        guaranteed profit
        guaranteed income
        passive income
        financial freedom
        work from home
        work at home
        be your own boss
        make money
        extra income
        earn money
        earn up to
        per week from home
        no experience needed
        no experience required
        forex trading
        crypto investment
        bitcoin investment
        investment platform
        trading platform
        return on investment
        hot stock
        stock alert
        strong buy
        price target
        undervalued
        penny stock
        wealth
        millionaire
        multi level
        mlm
        proven system
        this is not spam
        not a scam
        """);
    add(
        all,
        Topic.ADULT,
        """
        hot girls
        horny
        sexy girls
        sex tonight
        live sex
        xxx
        hardcore
        naked
        nude
        lonely women
        meet singles
        local singles
        hookup
        casual sex
        russian brides
        teen sluts
        adult dating
        """);
    add(
        all,
        Topic.MARKETING,
        """
        search engine optimization
        first page of google
        page 1 of google
        top of google
        seo services
        seo company
        website traffic
        your website ranking
        increase your sales
        targeted email
        email marketing campaign
        bulk email
        email list
        email lists
        million email addresses
        opt in email
        removal instructions
        removed from our mailing list
        to be removed from
        remove in the subject
        risk free trial
        act now
        limited time only
        order now
        satisfaction guaranteed
        money back guarantee
        100 guaranteed
        no obligation
        absolutely free
        free trial
        call now
        toll free
        once in a lifetime
        dont delete
        lowest price
        lowest prices
        web design company
        mobile app development
        link building
        guest post
        """);
    return List.copyOf(all);
  }

  private static void add(List<Entry> all, Topic topic, String lines) {
    lines
        .lines()
        .map(String::trim)
        .filter(l -> !l.isEmpty())
        .forEach(l -> all.add(new Entry(topic, l)));
  }
}
