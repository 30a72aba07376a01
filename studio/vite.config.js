import { defineConfig } from "vite";

// Fixed file names and no hashes: the bundle is committed as package data, so a rebuild of the same
// source must give the same three files. Relative URLs, because the server puts a token in the path.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/kinesics/studio/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      output: {
        entryFileNames: "viewer.js",
        assetFileNames: "viewer.[ext]",
        codeSplitting: false,
      },
    },
  },
});
