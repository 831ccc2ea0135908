import { createRoot } from "react-dom/client";
import { Shell } from "./shell";
import { paint } from "./layout";
import "./style/base.css";
import "./style/parts.css";
import "./style/shell.css";
import "./style/canvas.css";
import "./style/side.css";
import "./style/drawer.css";
import "./style/pages.css";

paint();
const root = document.getElementById("studio");
if (root) createRoot(root).render(<Shell />);
