package net.postern.edge.check;

import java.net.InetAddress;
import net.postern.address.EmailAddress;
import net.postern.tenant.RecipientLookup;

/**
 * What the checks of one {@code RCPT} look at. The directory is asked once, for all of them.
 *
 * @param address the forward-path
 * @param lookup what the directory says of it
 */
public record RecipientQuestion(InetAddress client, EmailAddress address, RecipientLookup lookup) {}
