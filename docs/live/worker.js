// The worker: Python, one call at a time.
//
// In:  boot {base, files} · files {files} · call {id, name, args, plots, seconds, stopURL}
// Out: progress {text} · ready · failed {text}, and for a call: KIND {id, value} · done {id, value}
"use strict";

let python, call, memory = null, deadline = Infinity, late = false, stopURL = null, nextPoll = 0;
const post = (type, more = {}) => postMessage({type, ...more});

// Python reads element 0 of this "array" every 50 or so of its steps, and raises KeyboardInterrupt
// if it is 2. A plain host has no shared memory. The page says stop by revoking the address of
// a blob, which is then not to be had any more; the same place keeps the time limit.
const signal = {
  get 0() {
    const now = performance.now();
    if (now > deadline) {
      late = true;
      disarm();
      return 2;
    }
    if (stopURL && now > nextPoll) {
      nextPoll = now + 100;
      try {
        const request = new XMLHttpRequest();
        request.open("GET", stopURL, false);
        request.send();
      } catch {
        disarm();
        return 2;
      }
    }
    return 0;
  },
  set 0(_) {},
};

function disarm() {
  stopURL = null;
  deadline = Infinity;
}

// Answers from memory, a map from names to bytes: a page from a disk may not fetch.
async function fetchFromMemory(address) {
  const name = String(address?.url ?? address).split("/").pop();
  const types = {wasm: "application/wasm", json: "application/json"};
  const type = types[name.split(".").pop()] ?? "application/octet-stream";
  return new Response(memory[name] ?? "", {status: name in memory ? 200 : 404, headers: {"content-type": type}});
}

async function boot({base, files}) {
  if (files) [memory, self.fetch] = [files, fetchFromMemory];
  else importScripts(`${base}python/pyodide.js`);
  const indexURL = files ? "https://none.invalid/" : `${base}python/`;
  python = await loadPyodide({indexURL, packages: ["numpy"], env: {MPLBACKEND: "svg", HOME: "/home/pyodide"}});
  post("progress", {text: "Loading the package …"});
  const answer = await fetch(`${base}package.zip`);
  const site = "/lib/python3.12/site-packages";
  python.unpackArchive(await answer.arrayBuffer(), "zip", {extractDir: site});
  python.setInterruptBuffer(signal);
  call = python.runPython("import numpycnn\nfrom docs.live.desk import call\ncall");
  post("ready");
}

async function answer({id, name, args, plots, seconds, stopURL: address}) {
  if (plots && !python.loadedPackages.matplotlib) {
    post("progress", {text: `Loading Matplotlib, ${plots} MB the first time …`});
    await python.loadPackage("matplotlib", {messageCallback() {}});
  }
  post("begun", {id});
  const send = (kind, value) => post(kind, {id, value: JSON.parse(value)});
  [stopURL, nextPoll, late] = [address, 0, false];
  deadline = performance.now() + 1000 * seconds;
  let value;
  try {
    value = JSON.parse(call(name, args, send, disarm));
  } catch (error) {
    disarm();
    if (!/KeyboardInterrupt/.test(error)) throw error;
    value = {stopped: true};
  }
  post("done", {id, value: {...value, late: Boolean(value.stopped && late)}});
}

onmessage = async ({data}) => {
  try {
    if (data.type === "files") Object.assign(memory, data.files);
    else await (data.type === "boot" ? boot(data) : answer(data));
  } catch (error) {
    post("failed", {id: data.id, text: String(error?.message || error).trim().split("\n").pop()});
  }
};
