"""An agent with three tools: it calls one, reads the result, and answers.

The embedded model decides on a tool by the words of its description and copies arguments from the request; its answers
are copies too. A large model runs the same loop.
"""

import structgen as sg


def get_weather(city: str) -> str:
    """The weather forecast for a city.

    Args:
        city: The name of the city.
    """
    return f"It will be cloudy in {city}, with 14 degrees."


def convert_currency(amount: float, currency: str) -> str:
    """Convert an amount of euros to another currency."""
    return f"{amount * 1.1:.2f} {currency}"


async def book_table(restaurant: str, persons: int) -> str:
    """Book a table at a restaurant."""
    return f"A table for {persons} at {restaurant} is booked."


tools = sg.Tools([get_weather, convert_currency, book_table], "required")
model = sg.load()
messages: list[dict[str, object]] = [{"role": "user", "content": "What is the weather forecast for Oslo?"}]
reply = model.call(messages, tools)
print(reply)
messages.extend(reply.messages(reply.run()))  # with async tools: await reply.arun()
print(messages[-1]["content"])
print(model.call(messages, tools, tool_choice="none"))
