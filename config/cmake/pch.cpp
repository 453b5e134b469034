// Only there so that the targets of the precompiled headers have something to compile.
