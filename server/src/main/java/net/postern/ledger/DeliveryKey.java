package net.postern.ledger;

import net.postern.id.CustomerId;
import net.postern.id.MessageId;

/**
 * Names one delivery.
 *
 * @param number position of the recipient within the message's recipients of this customer, from 0
 */
public record DeliveryKey(CustomerId customer, MessageId message, int number) {}
