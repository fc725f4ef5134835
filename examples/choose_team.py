"""Which team should answer a message, with a probability for each.

The embedded model goes by the names of the options; to understand a message, load a large model.
"""

import structgen as sg

MESSAGES = [
    "Hello, this message is for the billing team: invoice 20417 was charged twice.",
    "Please send this to sales: we want fifty licences.",
]

model = sg.load()
for message in MESSAGES:
    choice = model.choose(message, ["billing", "tech", "sales"])
    shares = ", ".join(f"{option} {share:.0%}" for option, share in choice.probabilities.items())
    print(f"{choice.value:8}  {shares}  | {message}")
