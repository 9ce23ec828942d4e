use utoipa_swagger_ui::SwaggerUi;

pub fn swagger() -> SwaggerUi {
    SwaggerUi::new("/docs").url("/openapi.json", crate::document()).config(config())
}
