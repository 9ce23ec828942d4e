//! Entities of the service, which a decision point loads.

use auth_runtime::objects::{Entity, Resource, Value};

#[test]
fn object_is_entity_with_its_properties() {
    let garden = Resource::new("Repository", "ann/garden").with_property("public", true);
    let entity = Entity::from(garden);
    let uid = entity.uid();
    assert_eq!((uid.entity_type(), uid.id()), ("Repository", "ann/garden"));
    let properties: Vec<_> = entity.properties().collect();
    assert_eq!(properties, [("public", &Value::Flag(true))]);
    assert_eq!(entity.parents(), []);
}
