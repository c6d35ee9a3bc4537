"""Rules: each file registers its own stem. Importing this imports none of them."""
