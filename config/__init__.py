"""What an operator may choose. Only the entry points import it, once, and hand its groups down."""
