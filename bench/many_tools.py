"""An MCP server with as many tools as its first argument says, each described as servers do. Needs no library."""

import json
import sys
from typing import Any

VERBS = ("create", "list", "delete", "update", "search")
NOUNS = ("invoice", "customer", "ticket", "repository", "calendar", "pipeline", "alert", "dashboard")
WORDS = "Needs the identifier as the service gives it, and answers with the whole record. " * 4


def tool(number: int) -> dict[str, Any]:
    """One tool, about 300 tokens."""
    verb, noun = VERBS[number % len(VERBS)], NOUNS[number // len(VERBS) % len(NOUNS)]
    properties = {f"{noun}_{key}": {"type": "string", "description": WORDS[:70]} for key in ("id", "name", "state")}
    schema = {"type": "object", "properties": properties, "required": [f"{noun}_id"]}
    description = f"{verb.title()}s a {noun}. {WORDS}"
    return {"name": f"{verb}_{noun}_{number}", "description": description, "inputSchema": schema}


def answer(message: dict[str, Any], tools: int) -> dict[str, Any]:
    """What one request gets."""
    match message["method"]:
        case "initialize":
            version = message["params"]["protocolVersion"]
            server = {"name": "many", "version": "1"}
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": server}
        case "tools/list":
            return {"tools": [tool(number) for number in range(tools)]}
        case "tools/call":
            return {"content": [{"type": "text", "text": f"called {message['params']['name']}"}]}
        case _:
            return {}


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            result = answer(message, int(sys.argv[1]))
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)


if __name__ == "__main__":
    main()
