"""Every call that both Python clients make, whole and streamed; all that its caller got is a line of JSON."""

import base64, json, sys
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import APIError, OpenAI

base_url, api_key, pixel = sys.argv[1], sys.argv[2], sys.argv[3]
prompts = sys.argv[4:]
options = {"base_url": base_url, "api_key": api_key, "max_retries": 0}
client, model = OpenAI(**options), "fake-model"
chat, responses = ChatOpenAI(model=model, **options), ChatOpenAI(model=model, use_responses_api=True, **options)
embeddings = OpenAIEmbeddings(model=model, check_embedding_ctx_length=False, **options)
parameters = {"type": "object", "properties": {"location": {"type": "string"}}}
tool = {"type": "function", "function": {"name": "look_up", "description": "Looks it up.", "parameters": parameters}}
flat_tool = {"type": "function", "strict": False, **tool["function"]}
picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + pixel}}

def user(prompt):
    return [{"role": "user", "content": prompt}]

def pictured(prompt):
    return [picture, {"type": "text", "text": prompt}]

def plain(value):
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value

def file_of(prompt):
    return ("a.wav", b"the sound of " + prompt.encode(), "audio/wav")

calls = {
    "chat": lambda p: client.chat.completions.create(model=model, messages=user(p)),
    "chat with a tool and a picture": lambda p: client.chat.completions.create(
        model=model, messages=user(pictured(p)), tools=[tool]
    ),
    "chat, streamed": lambda p: client.chat.completions.create(model=model, messages=user(p), stream=True),
    "chat, streamed, counted": lambda p: client.chat.completions.create(
        model=model, messages=user(pictured(p)), tools=[tool], stream=True, stream_options={"include_usage": True}
    ),
    "completion": lambda p: client.completions.create(model=model, prompt=p),
    "completion, streamed": lambda p: client.completions.create(model=model, prompt=p, stream=True),
    "embedding": lambda p: client.embeddings.create(model=model, input=[p, "other"]),
    "response": lambda p: client.responses.create(model=model, input=p, tools=[flat_tool]),
    "response, streamed": lambda p: client.responses.create(model=model, input=p, tools=[flat_tool], stream=True),
    "moderation": lambda p: client.moderations.create(model=model, input=p),
    "image": lambda p: client.images.generate(model=model, prompt=p),
    "speech": lambda p: base64.b64encode(client.audio.speech.create(model=model, input=p, voice="alloy").content).decode(),
    "transcription": lambda p: client.audio.transcriptions.create(model=model, prompt=p, file=file_of(p)),
    "langchain": lambda p: chat.invoke(p),
    "langchain with a tool and a picture": lambda p: chat.bind_tools([tool]).invoke([HumanMessage(pictured(p))]),
    "langchain, streamed": lambda p: chat.stream(p),
    "langchain with a tool and a picture, streamed": lambda p: chat.bind_tools([tool]).stream([HumanMessage(pictured(p))]),
    "langchain with responses": lambda p: responses.bind_tools([tool]).invoke(p),
    "langchain with responses, streamed": lambda p: responses.bind_tools([tool]).stream(p),
    "langchain embeddings": lambda p: embeddings.embed_documents([p, "other"]),
}

for name, call in calls.items():
    for prompt in prompts:
        got, failure = [], None
        try:
            answer = call(prompt)
            if hasattr(answer, "__next__") or "streamed" in name:
                for part in answer:
                    got.append(plain(part))
            else:
                got.append(plain(answer))
        except APIError as error:
            fields = {field: getattr(error, field, None) for field in ("status_code", "type", "param")}
            failure = {"kind": type(error).__name__, "body": str(error.message), **fields}
        except Exception as error:
            failure = {"kind": type(error).__name__}
        print(json.dumps({"name": name, "prompt": prompt, "got": got, "failure": failure}))
