"""What LiteLLM's own client for its proxy makes of the management routes. Prints one JSON object: a result by step."""

import json
import sys

import requests
from litellm.proxy.client import Client
from litellm.proxy.client.exceptions import UnauthorizedError
from litellm.proxy.client.health import HealthManagementClient
from litellm.proxy.client.users import UsersManagementClient

SETTINGS = json.loads(sys.argv[1])
URL = SETTINGS["baseUrl"]
master = Client(base_url=URL, api_key=SETTINGS["key"])


def refusal(call):
    try:
        call()
        return "answered"
    except UnauthorizedError:
        return "UnauthorizedError"
    except requests.exceptions.HTTPError as error:
        return error.response.status_code


users = UsersManagementClient(URL, SETTINGS["key"])
made_user = users.create_user({"user_id": "pia", "user_alias": "Pia", "max_budget": 2, "auto_create_key": False})
made = master.keys.generate(models=["gpt"], key_alias="by the client", user_id="pia", duration="1d")
own = Client(base_url=URL, api_key=made["key"])
answer = own.chat.completions(model="gpt", messages=[{"role": "user", "content": "Hi"}])
master.keys.update(key=made["key"], key_alias="renamed")
team = master.http.request("POST", "/team/new", json={"team_id": "by-client", "team_alias": "Theirs"})
listed = master.keys.list(user_id="pia", return_full_object=True)

results = {
    "user": [made_user["user_id"], users.get_user("pia")["user_info"]["max_budget"]],
    "models": [model["id"] for model in own.models.list()],
    "modelInfo": [model["model_name"] for model in own.models.info()],
    "groups": [group["model_group"] for group in own.model_groups.info()],
    "said": answer["choices"][0]["message"]["content"],
    "own": own.http.request("GET", "/key/info")["info"]["key_alias"],
    "info": master.keys.info(made["key"])["info"]["user_id"],
    "listed": [[key["key_alias"], key["models"]] for key in listed["keys"]],
    "team": [team["team_id"], [one["team_alias"] for one in master.teams.list() if one["team_id"] == "by-client"]],
    "ready": HealthManagementClient(URL).get_readiness()["status"],
    "forbidden": refusal(own.keys.list),
    "wrong": refusal(Client(base_url=URL, api_key="sk-wrong").keys.list),
    "deleted": len(master.keys.delete(keys=[made["key"]])["deleted_keys"]),
    "after": refusal(own.models.list),
}
print(json.dumps({"client": results}))
