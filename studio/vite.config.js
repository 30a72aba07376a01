import { defineConfig } from "vite";

// Fixed file names and no hashes: the bundle is committed as package data, so a rebuild of the same
// source must give the same files. Relative URLs, because the server puts a token in the path.
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
      input: { viewer: "index.html", webcam: "webcam.html" },
      output: {
        entryFileNames: "[name].js",
        // What both pages need: one file, so it can have a fixed name.
        chunkFileNames: "stage.js",
        assetFileNames: "[name].[ext]",
      },
    },
  },
});
