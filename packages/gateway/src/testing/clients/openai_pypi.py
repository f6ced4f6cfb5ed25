"""What the `openai` package of PyPI makes of an endpoint. Prints one JSON object: results by upstream and scenario."""

import json
import math
import sys

import openai
from pydantic import BaseModel

from scenarios import IMAGE, WEATHER, calls, run_scenarios

SETTINGS = json.loads(sys.argv[1])
CLIENT = openai.OpenAI(base_url=SETTINGS["baseUrl"] + "/v1", api_key=SETTINGS["key"], max_retries=0)


class Place(BaseModel):
    city: str
    degrees: float


def user(content):
    return {"role": "user", "content": content}


def create(model, **more):
    return CLIENT.chat.completions.create(model=model, **{"messages": [user("Hi")], **more})


def usage_of(usage):
    return [usage.prompt_tokens, usage.completion_tokens]


def chat(model, _):
    answer = create(model("chat"))
    choice = answer.choices[0]
    return {"text": choice.message.content, "finish": choice.finish_reason, "usage": usage_of(answer.usage)}


def stream(model, _):
    text, finish, usage = "", None, None
    for chunk in create(model("chat"), stream=True, stream_options={"include_usage": True}):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
        usage = usage_of(chunk.usage) if chunk.usage else usage
    return {"text": text, "finish": finish, "usage": usage}


def tools(model, _):
    messages = [user("Weather?")]
    first = create(model("tools"), messages=messages, tools=[WEATHER]).choices[0].message
    messages.append(first)
    messages += [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in first.tool_calls]
    last = create(model("tools"), messages=messages, tools=[WEATHER])
    return {"calls": calls(first.tool_calls), "text": last.choices[0].message.content}


def streamed_tools(model, _):
    with CLIENT.chat.completions.stream(model=model("tools"), messages=[user("Weather?")], tools=[WEATHER]) as events:
        message = events.get_final_completion().choices[0].message
    return {"text": message.content, "calls": calls(message.tool_calls)}


def image(model, _):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + IMAGE}}
    content = [{"type": "text", "text": "What is it?"}, picture]
    return {"text": create(model("image"), messages=[user(content)]).choices[0].message.content}


def structured(model, _):
    answer = CLIENT.chat.completions.parse(model=model("structured"), messages=[user("Where?")], response_format=Place)
    return answer.choices[0].message.parsed.model_dump()


def responses(model, _):
    tool = {"type": "function", "strict": False, **WEATHER["function"]}
    answer = CLIENT.responses.create(model=model("tools"), input="Weather?", tools=[tool])
    items = [item for item in answer.output if item.type == "function_call"]
    return {
        "text": answer.output_text,
        "calls": [[item.name, json.loads(item.arguments)] for item in items],
        "usage": [answer.usage.input_tokens, answer.usage.output_tokens],
    }


def embeddings(model, upstream):
    if not upstream.get("embeds"):
        return "none"
    answer = CLIENT.embeddings.create(model=model("embed"), input=["a", "b"])
    numbers = all(math.isfinite(number) for item in answer.data for number in item.embedding)
    return {"count": len(answer.data), "numbers": numbers}


def failure(call):
    try:
        call()
        return "answered"
    except openai.APIError as error:
        return [type(error).__name__, getattr(error, "status_code", None)]


def errors(model, _):
    wrong = openai.OpenAI(base_url=SETTINGS["baseUrl"] + "/v1", api_key="sk-wrong", max_retries=0)
    return {
        "limited": failure(lambda: create(model("limited"))),
        "invalid": failure(lambda: create(model("invalid"))),
        "broken": failure(lambda: create(model("broken"))),
        "unknown": failure(lambda: create("nowhere")),
        "key": failure(lambda: wrong.chat.completions.create(model=model("chat"), messages=[user("Hi")])),
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
        "responses": responses,
        "embeddings": embeddings,
        "errors": errors,
    },
)
