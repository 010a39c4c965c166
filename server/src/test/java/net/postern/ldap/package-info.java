@NullMarked
package net.postern.ldap;

import org.jspecify.annotations.NullMarked;
