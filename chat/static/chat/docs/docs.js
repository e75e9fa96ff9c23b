/* Starts Swagger UI on the element that says where the document is. */
"use strict";

const place = document.getElementById("swagger");
const csrf = place.dataset.csrf;

window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: true,
  // It would send the document's address to a stranger's server.
  validatorUrl: null,
  presets: [window.SwaggerUIBundle.presets.apis],
  requestInterceptor(request) {
    // For whoever is signed in by session. The token goes nowhere but to our own host.
    if (new URL(request.url, location.href).origin === location.origin) {
      request.headers["X-CSRFToken"] = csrf;
    }
    return request;
  },
});
