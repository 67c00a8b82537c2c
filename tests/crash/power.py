# SPDX-License-Identifier: MIT
"""What is on a disk after a power cut: a record of disk_faults.cpp, cut anywhere, with what was not synced partly lost."""
import os
import pathlib

SECTOR = 512


def read_record(path):
    """[(verb, words, bytes)]"""
    calls = []
    data = pathlib.Path(path).read_bytes()
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        verb, *words = data[at:end].decode().split(" ")
        at = end + 1
        content = b""
        if verb in ("write", "said"):
            content = data[at:at + int(words[-1])]
            at += len(content) + 1
        calls.append((verb, words, content))
    return calls


def patch(content, offset, data):
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


class Disk:
    """Names and bytes: what is safe, and in which order the rest was asked for. `start`: {path: bytes} of before."""

    def __init__(self, start):
        self.start = start
        self.names = {path: None for path in start}  # as the program sees them; of a file: its id
        self.safe_names = dict(self.names)
        self.changes = []  # of names: (folder, {path: id or "gone"})
        self.safe = {}  # id: bytearray
        self.writes = {}  # id: [(offset, bytes) or (size, None)]

    def call(self, verb, words, content):
        if verb in ("create", "exists"):
            name, path = int(words[0]), " ".join(words[1:])
            self.safe[name] = bytearray(self.start.get(path, b"") if verb == "exists" else b"")
            self.writes[name] = []
            self.names[path] = name
            if verb == "create":
                self.change({path: name})
            else:
                self.safe_names[path] = name
        elif verb == "write":
            self.writes[int(words[0])].append((int(words[1]), content))
        elif verb == "truncate":
            self.writes[int(words[0])].append((int(words[1]), None))
        elif verb == "sync":
            for one in self.writes[int(words[0])]:
                self.land(self.safe[int(words[0])], *one)
            self.writes[int(words[0])] = []
        elif verb == "rename":
            name = self.names.pop(words[0])
            self.names[words[1]] = name
            self.change({words[1]: name, words[0]: "gone"})
        elif verb == "unlink":
            self.names.pop(words[0], None)
            self.change({words[0]: "gone"})
        elif verb == "mkdir":
            self.names[words[0]] = "folder"
            self.change({words[0]: "folder"})
        elif verb == "syncdir":
            folder = os.path.normpath(words[0])
            for where, names in self.changes:
                if where == folder:
                    self.apply(self.safe_names, names)
            self.changes = [one for one in self.changes if one[0] != folder]
        elif verb != "said":
            raise ValueError(verb)

    def change(self, names):
        self.changes.append((os.path.dirname(next(iter(names))), names))

    @staticmethod
    def apply(names, change):
        for path, name in change.items():
            if name == "gone":
                names.pop(path, None)
            else:
                names[path] = name

    @staticmethod
    def land(content, offset, data):
        if data is None:
            if len(content) > offset:
                del content[offset:]
            else:
                content.extend(bytes(offset - len(content)))
        else:
            patch(content, offset, data)

    def after_power_cut(self, choose):
        """{path: bytes, or None for a folder}. What was not synced is there, is not, or is in part."""
        names = dict(self.safe_names)
        if choose.random() < 0.5:  # as a journal of names keeps them: in order, up to some point
            for _, change in self.changes[:choose.randint(0, len(self.changes))]:
                self.apply(names, change)
        else:
            for _, change in self.changes:
                if choose.random() < 0.5:
                    self.apply(names, change)
        landing = choose.choice([0, 0.2, 0.5, 0.8, 1])
        left = {}
        for path, name in names.items():
            if name == "folder":
                left[path] = None
            elif name is None:
                left[path] = self.start[path]
            else:
                left[path] = bytes(self.content(name, landing, choose))
        whole = {}
        for path in sorted(left):  # nothing is in a folder that is not there
            parent = os.path.dirname(path)
            if parent in whole or parent not in self.names and parent not in left:
                whole[path] = left[path]
        return whole

    def content(self, name, landing, choose):
        content = bytearray(self.safe[name])
        for offset, data in self.writes[name]:
            if choose.random() >= landing:
                if data is not None and choose.random() < 0.1 and offset + len(data) > len(content):
                    patch(content, max(offset, len(content)), choose.randbytes(offset + len(data) - max(offset, len(content))))
                continue
            if data is not None and choose.random() < 0.3:  # some of its sectors
                for at in range(0, len(data), SECTOR):
                    if choose.random() < 0.5:
                        patch(content, offset + at, data[at:at + SECTOR])
            else:
                self.land(content, offset, data)
        return content
