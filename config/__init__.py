"""What an operator may choose: settings and detector configs. Only the entry points import it, once, and hand groups down."""
