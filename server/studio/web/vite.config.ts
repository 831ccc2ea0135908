import { defineConfig } from "vite";

// Names carry no hash, so that the committed build changes only where the source
// does; the server answers them with an ETag.
export default defineConfig({
  base: "/_studio/",
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        entryFileNames: "studio.js",
        chunkFileNames: "[name].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
});
