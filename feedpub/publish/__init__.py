"""The output tree → static hosts: a push is planned and then carried out.

Here belongs everything about targets, the plan of a push, response headers, CDNs and hubs. How the
tree is made belongs in `feedpub.run`, what a setting may be in `feedpub.config`. Records, the store
and the ledger are not known here.
"""
