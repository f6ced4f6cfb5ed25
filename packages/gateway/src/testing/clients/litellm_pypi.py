"""What the `litellm` package of PyPI makes of an endpoint. Prints one JSON object: results by upstream and scenario."""

import json
import math
import os
import sys

# Neither prices nor anything else is fetched.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"] = "True"

import litellm  # noqa: E402

from scenarios import IMAGE, WEATHER, calls, run_scenarios  # noqa: E402

litellm.telemetry = False
litellm.suppress_debug_info = True
SETTINGS = json.loads(sys.argv[1])


def user(content):
    return {"role": "user", "content": content}


def complete(model, key=SETTINGS["key"], **more):
    return litellm.completion(
        model="openai/" + model,
        api_base=SETTINGS["baseUrl"] + "/v1",
        api_key=key,
        num_retries=0,
        max_retries=0,
        **{"messages": [user("Hi")], **more},
    )


def usage_of(usage):
    return [usage.prompt_tokens, usage.completion_tokens]


def chat(model, _):
    answer = complete(model("chat"))
    choice = answer.choices[0]
    return {"text": choice.message.content, "finish": choice.finish_reason, "usage": usage_of(answer.usage)}


def stream(model, _):
    chunks = list(complete(model("chat"), stream=True, stream_options={"include_usage": True}))
    whole = litellm.stream_chunk_builder(chunks)
    choice = whole.choices[0]
    return {"text": choice.message.content, "finish": choice.finish_reason, "usage": usage_of(whole.usage)}


def tools(model, _):
    messages = [user("Weather?")]
    first = complete(model("tools"), messages=messages, tools=[WEATHER]).choices[0].message
    messages.append(first.model_dump())
    messages += [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in first.tool_calls]
    last = complete(model("tools"), messages=messages, tools=[WEATHER])
    return {"calls": calls(first.tool_calls), "text": last.choices[0].message.content}


def streamed_tools(model, _):
    chunks = list(complete(model("tools"), messages=[user("Weather?")], tools=[WEATHER], stream=True))
    message = litellm.stream_chunk_builder(chunks).choices[0].message
    return {"text": message.content, "calls": calls(message.tool_calls)}


def image(model, _):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + IMAGE}}
    content = [{"type": "text", "text": "What is it?"}, picture]
    return {"text": complete(model("image"), messages=[user(content)]).choices[0].message.content}


def structured(model, _):
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "degrees": {"type": "number"}},
        "required": ["city", "degrees"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema, "strict": True}}
    return json.loads(complete(model("structured"), response_format=wanted).choices[0].message.content)


def embeddings(model, upstream):
    if not upstream.get("embeds"):
        return "none"
    answer = litellm.embedding(
        model="openai/" + model("embed"),
        input=["a", "b"],
        api_base=SETTINGS["baseUrl"] + "/v1",
        api_key=SETTINGS["key"],
    )
    numbers = all(math.isfinite(number) for item in answer.data for number in item["embedding"])
    return {"count": len(answer.data), "numbers": numbers}


def failure(call):
    try:
        call()
        return "answered"
    except Exception as error:  # pylint: disable=broad-except
        return [type(error).__name__, getattr(error, "status_code", None)]


def errors(model, _):
    return {
        "limited": failure(lambda: complete(model("limited"))),
        "invalid": failure(lambda: complete(model("invalid"))),
        "broken": failure(lambda: complete(model("broken"))),
        "unknown": failure(lambda: complete("nowhere")),
        "key": failure(lambda: complete(model("chat"), key="sk-wrong")),
    }


run_scenarios(
    SETTINGS["upstreams"],
    {
        "chat": chat,
        "stream": stream,
        "tools": tools,
        "streamedTools": streamed_tools,
        "image": image,
        "structured": structured,
        "embeddings": embeddings,
        "errors": errors,
    },
)
