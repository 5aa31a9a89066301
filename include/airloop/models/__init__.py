"""How two models differ on the same rows: evidence by days, and its pictures."""
