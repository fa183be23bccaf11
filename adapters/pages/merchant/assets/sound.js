// The sound of a robot that is here: three rising notes. Browsers want a click before a page may make
// sounds, so there is a button until there was one.
let audio = null;

function ready() {
  audio ??= new AudioContext();
  return audio;
}

export function ring() {
  if (audio?.state !== 'running') return;
  const start = audio.currentTime;
  [659.3, 880, 1318.5].forEach((pitch, i) => {
    const tone = audio.createOscillator(), volume = audio.createGain(), at = start + i * 0.18;
    tone.type = 'triangle';
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.35, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.55);
  });
}

export function soundButton(button, trial) {
  if (!button || !globalThis.AudioContext) return;
  const show = () => { button.hidden = ready().state === 'running'; };
  const wake = () => ready().resume().then(show);
  addEventListener('pointerdown', wake, { once: true });
  addEventListener('keydown', wake, { once: true });
  button.onclick = () => wake().then(ring);
  if (trial) {
    trial.hidden = false;
    trial.onclick = () => wake().then(ring);
  }
  show();
}
