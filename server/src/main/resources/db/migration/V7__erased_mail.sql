-- ---- ledger ----

-- What of a mailbox, or of a customer, waits or is held: for ending it when the key was erased. A delivery that succeeds
-- at once is entered as in progress and so never gets here; one in progress whose lease ran out is found by delivery_due.
create index delivery_of_mailbox on delivery (customer_id, mailbox_id) where state in (0, 2);
