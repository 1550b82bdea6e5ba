#!/usr/bin/env node
// Starts the command line. Node may keep what it has compiled of it (in its own folder for that, or NODE_COMPILE_CACHE): a command then starts
// in four fifths of the time. Loads nothing else before.

import * as nodeModule from "node:module"

// Not in Node 20. Without a folder to write to it does nothing.
nodeModule.enableCompileCache?.()
await import("./command.ts")
