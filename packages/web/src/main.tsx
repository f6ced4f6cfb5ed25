import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { router } from "./router.tsx";
import { SessionGate } from "./screens/session-gate.tsx";
import { pageServices, ServicesContext } from "./state/services.ts";
import { showTheme } from "./state/theme.ts";
import { doWhatWaits } from "./state/toasts.ts";
import "./styles.css";

showTheme();
// Also when it may come back from the browser's memory: its clock stands still there.
addEventListener("pagehide", doWhatWaits);
const services = pageServices();
const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <ServicesContext value={services}>
        <QueryClientProvider client={services.queries}>
          <SessionGate>
            <RouterProvider router={router} />
          </SessionGate>
        </QueryClientProvider>
      </ServicesContext>
    </StrictMode>,
  );
}
