"""Data checks: what is wrong or odd with the cases of a suite, found before anything is trained on them."""
