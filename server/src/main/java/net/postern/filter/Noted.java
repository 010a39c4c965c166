package net.postern.filter;

/**
 * Something that was found before the message was there: by a check of the SMTP dialogue.
 *
 * @param name the finding's one name
 * @param detail for people
 */
public record Noted(String name, String detail) {}
