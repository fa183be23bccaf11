// Waits for the program to be built. Loading the page again and again would not do: with #live=1 behind its address the
// browser would only jump to where it is.
setInterval(async () => {
  const answer = await fetch('/twin', { cache: 'no-store' }).catch(() => null); // the demo may have ended, or begin again
  if (answer?.ok) location.reload();
}, 2000);
