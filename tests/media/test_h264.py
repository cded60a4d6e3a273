"""H.264 in the profiles that clients send: what is answered, and that it is seen."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import H264Encoder
from av import VideoFrame
from av.video.codeccontext import VideoCodecContext

from lessonroom.errors import BadSdp
from lessonroom.media.guard.assembly import Assembly, EncodedFrame
from lessonroom.media.guard.decoding import TIME_BASE, Decoder
from lessonroom.media.guard.keys import Keyframes
from lessonroom.media.guard.payload import piece_of
from lessonroom.media.guard.rtp import Packet
from lessonroom.media.h264 import answer_to, mended
from lessonroom.media.peer import Analyser
from lessonroom.media.sdp import SdpPolicy
from tests.rtc import MovingPicture, Sender


@pytest.mark.parametrize(
    ("profile", "answered"),
    [
        pytest.param("42e01f", "42e01f", id="constrained baseline"),
        pytest.param("42c00b", "42c00b", id="constrained baseline, a low level"),
        pytest.param("42001F", "42001F", id="baseline"),
        pytest.param("58801f", "58801f", id="extended that is baseline"),
        pytest.param("4d001f", "4d001f", id="main"),
        pytest.param("640c1f", "640c1f", id="constrained high"),
        pytest.param("640034", "640029", id="high, its level lowered to what is decoded"),
        pytest.param("42e029", "42e029", id="the highest level that is decoded"),
    ],
)
@pytest.mark.parametrize("mode", ["0", "1"])
def test_the_answer_has_the_profile_and_the_mode_of_the_offer(profile: str, answered: str, mode: str) -> None:
    """RFC 6184 section 8.2.2: all but the level is the same on both sides, or the format is left out."""
    said = answer_to({"profile-level-id": profile, "packetization-mode": mode})
    assert said == f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={answered}"


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"profile-level-id": "6e001f"}, id="ten bits"),
        pytest.param({"profile-level-id": "7a001f"}, id="4:2:2"),
        pytest.param({"profile-level-id": "f4001f"}, id="4:4:4"),
        pytest.param({"profile-level-id": "58001f"}, id="extended"),
        pytest.param({"profile-level-id": "64001f", "packetization-mode": "2"}, id="interleaved"),
        pytest.param({"profile-level-id": "64001f00"}, id="too long"),
        pytest.param({"profile-level-id": ""}, id="empty"),
        pytest.param({"packetization-mode": ""}, id="no mode"),
    ],
)
def test_what_is_not_decoded_has_no_answer(parameters: dict[str, str]) -> None:
    assert answer_to(parameters) is None


def test_a_format_that_does_not_name_its_profile_is_the_one_of_browsers() -> None:
    assert answer_to({}) == "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f"


def test_only_the_parameters_of_h264_are_mended() -> None:
    answer = "a=fmtp:96 old\r\na=fmtp:97 apt=96\r\na=rtpmap:96 H264/90000\r\n"
    assert mended(answer, {96: "new"}) == "a=fmtp:96 new\r\na=fmtp:97 apt=96\r\na=rtpmap:96 H264/90000\r\n"


class Encoded(MovingPicture):
    """A moving picture that is encoded by libx264 in a profile of its own; every frame is a keyframe."""

    def __init__(self, profile: str) -> None:
        super().__init__(rate=10, width=160, height=120)
        self._encoder: VideoCodecContext = av.CodecContext.create("libx264", "w")
        self._encoder.width, self._encoder.height, self._encoder.pix_fmt = 160, 120, "yuv420p"
        self._encoder.time_base = Fraction(1, 90_000)
        self._encoder.options = {"tune": "zerolatency", "preset": "veryfast", "g": "1"}
        self._encoder.profile = profile

    async def recv(self) -> av.Packet[Any]:  # type: ignore[override]
        picture = await super().recv()
        (packet,) = self._encoder.encode(picture.reformat(format="yuv420p"))
        self.sent_profile = bytes(packet).partition(b"\x00\x00\x01\x67")[2][:1]
        return packet


@pytest.mark.parametrize(("profile", "named", "first"), [("High", "64001f", b"\x64"), ("Main", "4d001f", b"\x4d")])
async def test_a_stream_of_a_higher_profile_is_seen(profile: str, named: str, first: bytes) -> None:
    """FFmpeg and OBS send one unless they are told otherwise; our answer says the profile that the offer named."""
    track = Encoded(profile)
    sender = Sender(track)
    (transceiver,) = sender.peer.getTransceivers()
    capable = type(transceiver.sender).getCapabilities("video").codecs
    transceiver.setCodecPreferences(
        [codec for codec in capable if codec.parameters.get("profile-level-id") == "42e01f"]
    )
    offer = (await sender.offer()).replace("42e01f", named)
    analyser = await Analyser.accept(offer, [], policy=SdpPolicy(loopback=True), on_end=lambda _: None)
    try:
        assert f"profile-level-id={named}\r\n" in analyser.answer
        assert "42e01f" not in analyser.answer
        await sender.answered(analyser.answer.replace(named, "42e01f"))
        frame = await asyncio.wait_for(analyser.frames.take(), 10)
        assert (frame.width, frame.height, track.sent_profile) == (160, 120, first)
        assert analyser._connection.receiver.decode_errors == 0
    finally:
        await asyncio.gather(analyser.close(), sender.close())


async def test_formats_that_are_not_decoded_are_left_out_of_the_answer() -> None:
    """A browser offers several of H.264."""
    sender = Sender()
    offer = (await sender.offer()).replace("42001f", "f4001f")
    analyser = await Analyser.accept(offer, [], policy=SdpPolicy(loopback=True), on_end=lambda _: None)
    await asyncio.gather(analyser.close(), sender.close())
    assert "42e01f" in analyser.answer
    assert "f4001f" not in analyser.answer
    with pytest.raises(BadSdp, match="baseline, main or high"):
        await Analyser.accept(
            "\r\n".join(line for line in offer.replace("42e01f", "f4001f").split("\r\n") if "VP8" not in line),
            [],
            policy=SdpPolicy(loopback=True),
            on_end=lambda _: None,
        )


def sent(delimiters: bool) -> list[list[Packet]]:
    """Frames of noise in four slices each, every sixth a keyframe, as packets; what is small goes together."""
    encoder: VideoCodecContext = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 320, 240, "yuv420p", TIME_BASE
    encoder.options = {"tune": "zerolatency", "preset": "ultrafast", "g": "6"}
    encoder.options |= {"x264-params": f"aud={int(delimiters)}:slices=4"}
    chance, frames, sequence = np.random.default_rng(1), [], 65_500
    for number in range(18):
        noise = chance.integers(0, 255, (240, 320, 3), dtype=np.uint8)
        picture = VideoFrame.from_ndarray(noise, format="bgr24").reformat(format="yuv420p")
        picture.pts, picture.time_base = number * 3000, TIME_BASE
        (encoded,) = encoder.encode(picture)
        payloads = H264Encoder._packetize(H264Encoder._split_bitstream(bytes(encoded)))
        marks = [at == len(payloads) - 1 for at in range(len(payloads))]
        frames.append(
            [
                Packet(97, mark, (sequence + at) % 0x10000, number * 3000, 7, payload)
                for at, (mark, payload) in enumerate(zip(marks, payloads, strict=True))
            ]
        )
        sequence += len(payloads)
    return frames


def assembled(assembly: Assembly | Keyframes, frames: list[list[Packet]]) -> list[EncodedFrame]:
    packets = [packet for frame in frames for packet in frame]
    return [frame for packet in packets for frame in assembly.add(piece_of("H264", packet), 0.0).frames]


@pytest.mark.parametrize("delimiters", [False, True])
@pytest.mark.parametrize("way", [Assembly, Keyframes])
def test_keyframes_of_a_real_encoder_are_known_whatever_comes_before_them(
    way: type[Assembly | Keyframes], delimiters: bool
) -> None:
    """GStreamer's x264enc and many encoders of a GPU begin each frame with a delimiter."""
    decoder = Decoder("H264")
    frames = assembled(way(), sent(delimiters))
    assert [frame.timestamp // 3000 for frame in frames if frame.key] == [0, 6, 12]
    assert sum(len(decoder.decode(frame)) for frame in frames) == len(frames)
    assert decoder.errors == 0


@pytest.mark.parametrize("delimiters", [False, True])
def test_a_keyframe_that_lost_its_first_slice_is_not_decoded_from_the_second_on(delimiters: bool) -> None:
    frames = sent(delimiters)
    del frames[6][2]
    assert [frame.timestamp // 3000 for frame in assembled(Assembly(), frames)] == [*range(6), *range(12, 18)]
