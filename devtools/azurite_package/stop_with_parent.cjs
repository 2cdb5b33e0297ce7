// Loaded before Azurite. The parent holds the other end of standard input and never writes to it, so its end
// means that the parent is gone, however it went. SIGTERM lets Azurite write its data before it leaves.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM"));
process.stdin.on("error", () => process.kill(process.pid, "SIGTERM"));
process.stdin.resume();
