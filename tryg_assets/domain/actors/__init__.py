"""Who is named in a text, in what role, and where in the taxonomy."""
