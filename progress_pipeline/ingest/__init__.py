"""Loading what was asked and what was told into the raw tables. The only room that knows dlt."""
