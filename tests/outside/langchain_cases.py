"""LangChain's tests of chat models, for the client that talks to this server."""

import os

from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests


class TestChat(ChatModelIntegrationTests):
    @property
    def chat_model_class(self):
        return ChatOpenAI

    @property
    def chat_model_params(self):
        url = os.environ["STRUCTGEN_URL"]
        given = {"base_url": f"{url}/v1", "api_key": "any", "max_retries": 0, "timeout": 300}
        return {"model": "structgen-mini", "stream_usage": True, **given}
