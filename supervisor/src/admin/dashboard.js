// The dashboard: asks for the status and shows it.
const response = await fetch("/v1/status");
document.querySelector("#apps").textContent = JSON.stringify(await response.json());
