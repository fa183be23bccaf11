"use strict";

(() => {
  const wait = document.getElementById("wait");
  const say = document.getElementById("say");

  // What the program says when it cannot go on.
  window.footwaySay = (text) => {
    wait.classList.remove("gone");
    wait.classList.add("bad");
    say.textContent = text;
  };
  // The program has put a city on the screen.
  window.footwayReady = () => wait.classList.add("gone");

  const start = async () => {
    if (typeof WebAssembly !== "object" || typeof Go !== "function") {
      throw new Error("this browser has no WebAssembly");
    }
    const go = new Go();
    const response = await fetch("/twin/footway.wasm", { mode: "cors", credentials: "same-origin" });
    if (!response.ok) {
      throw new Error("the program could not be loaded: " + response.status);
    }
    const { instance } = await WebAssembly.instantiateStreaming(response, go.importObject);
    wait.classList.add("gone");
    await go.run(instance);
  };
  start().catch((err) => window.footwaySay(err.message));

  // Another link in the address of the same page is another view.
  window.addEventListener("hashchange", () => window.location.reload());
})();
