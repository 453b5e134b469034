"""The rows of the comparison. Each makes steps of a plan; a step measures and hands over finished rows.

A row is a dict: `row` (its name), `case` (what was varied), `peer` (None where Mainstay is alone), `mainstay` and `peer_figures`, `ratio`.
"""
