"""What the drivers of the Python clients share."""

import json

IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


def calls(tool_calls):
    return [[call.function.name, json.loads(call.function.arguments)] for call in tool_calls]


def run_scenarios(upstreams, scenarios):
    """Plays every scenario against every upstream, and prints what came of it. A failure is a result too."""
    results = {}
    for upstream in upstreams:
        name = upstream["name"]
        results[name] = {key: outcome(play, name, upstream) for key, play in scenarios.items()}
    print(json.dumps(results))


def outcome(play, name, upstream):
    try:
        return play(lambda script: f"{name}/{script}", upstream)
    except Exception as error:  # pylint: disable=broad-except
        return f"failed: {type(error).__name__} {str(error)[:500]}"
