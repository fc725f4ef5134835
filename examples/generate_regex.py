"""An answer in the form of a regular expression: valid always, whatever the model knows."""

import re

import structgen as sg

PATTERN = r"[A-Z]{2}-\d{5}"

model = sg.load()
for seed in range(3):
    answer = model.generate("Your order has the number NP-20417.", sg.Regex(PATTERN), seed=seed)
    assert re.fullmatch(PATTERN, answer)
    print(answer)
