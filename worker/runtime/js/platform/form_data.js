// Parsing of multipart/form-data bodies is in multipart.js, which is loaded for the first such body.
(function () {
  const { core } = __bootstrap;
  const formData = core.loadExtScript("ext:deno_fetch/21_formdata.js");
  // Set before 22_body.js reads the function from there.
  formData.parseFormData = (bytes, boundary) =>
    core.loadExtScript("ext:nano_platform/multipart.js").parse(bytes, boundary);
  return {};
})();
