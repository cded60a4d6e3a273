"""MLServer's side of the tests: a runtime for ONNX networks. It runs in MLServer's own environment."""

from __future__ import annotations

import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Network(MLModel):
    async def load(self) -> bool:
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        inputs = {each.name: NumpyCodec.decode_input(each) for each in payload.inputs}
        names = [each.name for each in self.session.get_outputs()]
        answers = self.session.run(names, inputs)
        outputs = [NumpyCodec.encode_output(*each) for each in zip(names, answers, strict=True)]
        return InferenceResponse(model_name=self.name, outputs=outputs)
