"""The floor: a websocket server in Cython that hands every frame to everyone, with no Django and no storage.

``python -m tests.bench.floor PORT``
"""

import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

everyone: set[WSTransport] = set()


class Shouter(WSListener):
    def on_ws_connected(self, transport: WSTransport) -> None:
        everyone.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        everyone.discard(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT:
            text = frame.get_payload_as_bytes()
            for one in everyone:
                one.send(WSMsgType.TEXT, text)


async def main(port: int) -> None:
    server = await ws_create_server(lambda request: Shouter(), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
